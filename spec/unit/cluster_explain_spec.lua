-- What librdkafka says of its troubles, in the words of the log.

local cluster = require("unit").cluster

describe("cluster explains", function()
  it("that nobody listens", function()
    assert.equal("no broker answers at 127.0.0.1:9092: connection refused",
      cluster.explain("transport", "127.0.0.1:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 "
        .. "failed: Connection refused (after 3ms in state CONNECT, 2 identical error(s) "
        .. "suppressed)"))
    assert.equal("no broker answers at kafka:9092: connection setup timed out in state CONNECT",
      cluster.explain("transport", "GroupCoordinator: sasl_ssl://kafka:9092/1001: Connection "
        .. "setup timed out in state CONNECT (after 30000ms in state CONNECT)"))
  end)

  it("that a connection was closed, and perhaps why", function()
    local function explain(reason)
      return cluster.explain("transport", "a:1/1: " .. reason .. " (after 3000ms in state UP)")
    end
    assert.equal("the broker at a:1 closed the connection", explain("Disconnected"))
    assert.equal("the broker at a:1 closed the connection",
      explain("Disconnected while requesting ApiVersion"))
    assert.equal("the broker at a:1 closed the connection; perhaps it wants a login, see sasl",
      explain("Disconnected: verify that security.protocol is correctly configured, broker might "
        .. "require SASL authentication"))
    assert.equal("the broker at a:1 closed the connection; perhaps it wants TLS, see tls",
      explain("Disconnected while requesting ApiVersion: might be caused by incorrect "
        .. "security.protocol configuration (connecting to a SSL listener?) or broker version "
        .. "is < 0.10 (see api.version.request)"))
  end)

  it("why there is no TLS connection", function()
    local function explain(reason, code)
      return cluster.explain(code or "ssl", "ssl://a:1/bootstrap: " .. reason)
    end
    local no_tls = "no TLS connection to a:1: "
    assert.equal(no_tls .. "the broker's certificate is not accepted",
      explain("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed"))
    for reason, code in pairs({
      ["SSL handshake failed: error:0A000126:SSL routines::unexpected eof while reading"] = "ssl",
      ["error:0A000126:SSL routines::unexpected eof while reading"] = "transport",
      ["SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?"] =
        "transport",
    }) do
      assert.equal(no_tls .. "the broker closed it; perhaps this port is without TLS",
        explain(reason, code))
    end
    assert.equal("the broker at a:1 closed the connection", explain("Receive failed: "
      .. "error:0A000126:SSL routines::unexpected eof while reading", "transport"))
    local alert = "error:0A0000%d:SSL routines::tlsv13 alert %s: SSL alert number %d"
    assert.equal(no_tls .. "the broker refuses it (protocol version)",
      explain("SSL handshake failed: " .. alert:format(1, "protocol version", 70)))
    assert.equal("the broker at a:1 does not take this client's certificate, or misses one "
      .. "(certificate required); see cert_file and key_file of tls",
      explain("Receive failed: " .. alert:format(2, "certificate required", 116), "transport"))
    assert.equal(no_tls .. "what answers there does not speak TLS",
      explain("SSL handshake failed: error:0A00010B:SSL routines::wrong version number"))
    assert.equal(no_tls .. "SSL handshake failed: error:0A000001:SSL routines::something new",
      explain("SSL handshake failed: error:0A000001:SSL routines::something new"))
  end)

  it("that an answer is too large, or none of Kafka's", function()
    local function explain(size)
      return cluster.explain("bad_message", ("a:1/1: Receive failed: Invalid response size %d "
        .. "(0..5000000): increase receive.message.max.bytes (after 438ms in state UP)")
        :format(size))
    end
    assert.equal("the broker at a:1 answers with 10485932 bytes, more than "
      .. "receive.message.max.bytes allows", explain(10485932))
    assert.equal("the server at a:1 is no Kafka broker, it speaks HTTP",
      explain((">I4"):unpack("HTTP/1.1 400")))
    assert.equal("the broker at a:1 wants TLS, see tls",
      explain((">I4"):unpack("\x15\x03\x03\0\x02")))
    assert.equal("the broker at a:1 cannot be understood: Receive failed: nonsense",
      cluster.explain("bad_message", "a:1/1: Receive failed: nonsense"))
  end)

  it("that a name is unknown", function()
    assert.equal("the broker's name in kafka:9092 cannot be resolved: name or service not known",
      cluster.explain("resolve", "kafka:9092/bootstrap: Failed to resolve 'kafka:9092': Name or "
        .. "service not known (after 5ms in state CONNECT)"))
  end)

  it("that a login failed, and that an old library cannot do SCRAM with Kafka 4", function()
    local function explain(reason)
      return cluster.explain("authentication", "a:1/1: " .. reason .. " (after 1ms in state X)")
    end
    local refused = "the broker at a:1 refuses the login: "
    assert.equal(refused .. "the username or the password is wrong",
      explain("SASL authentication error: Authentication failed: Invalid username or password"))
    assert.equal(refused .. "token is over", explain("SASL authentication error: token is over"))
    assert.equal("the broker at a:1 does not take a login by PLAIN; it takes GSSAPI,OAUTHBEARER",
      explain("SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: "
        .. "broker's supported mechanisms: GSSAPI,OAUTHBEARER"))
    assert.equal("the broker at a:1 takes no login here, see sasl",
      explain("SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL "
        .. "state: broker's supported mechanisms: "))
    local scram = explain("SASL SCRAM-SHA-256: bad nonce")
    local version = scram:match("librdkafka ([%d.]+) cannot log in to Kafka 4")
    assert.is_true(version == nil or version < "2.6.1")
  end)

  it("that a topic is not there, or not allowed", function()
    assert.equal('topic "orders" does not exist; waiting for it', cluster.explain("unknown_topic",
      "Subscribed topic not available: orders: Broker: Unknown topic or partition"))
    assert.equal('no right to read topic "orders"', cluster.explain("topic_right",
      "Subscribed topic not available: orders: Broker: Topic authorization failed"))
  end)

  it("which right is missing", function()
    assert.equal('no right to read topic "orders"',
      cluster.explain_code("topic_right", "orders", "g"))
    assert.equal('no right to read as group "g"', cluster.explain_code("group_right", nil, "g"))
    assert.equal("no right to read as this group",
      cluster.explain("group_right", "FindCoordinator response error: Group authorization failed."))
  end)

  it("what makes a producer useless", function()
    assert.equal("no right to write; Kafka wants WRITE on some topic, or IDEMPOTENT_WRITE on the "
      .. "cluster", cluster.explain_fatal("Failed to acquire idempotence PID from broker "
      .. "sasl_ssl://a:1/1: Broker: Cluster authorization failed"))
    assert.equal("another", cluster.explain_fatal("another"))
  end)

  it("what a code means, and what to look at", function()
    for code, look in pairs({
      topic_right = "ACLs", group_right = "ACLs", cluster_right = "IDEMPOTENT_WRITE",
      login = "password", mechanism = "sasl.mechanism", policy = "who runs the cluster",
      quota = "quotas", too_large = "max.message.bytes", not_acknowledged = "message.timeout.ms",
      invalid_record = "cleanup.policy", timestamp = "clocks", replicas = "min.insync.replicas",
      producer_fenced = "transactional.id", producer_epoch = "transactional.id",
      producer_forgotten = "retention.ms", member_fenced = "instance_id",
      group_full = "group.max.size", protocol = "partition.assignment.strategy",
      session_timeout = "group.max.session.timeout.ms", poll = "CPU limit",
      offset = "offset_reset", unknown_member = "session.timeout.ms",
      coordinator = "__consumer_offsets", leader = "brokers that are down",
      not_leader = "brokers", disk = "its room", all_down = "what is said of each",
      version = "lagoon version",
    }) do
      local what, rest = cluster.cause(code):match("^(%l.-[^%.]); (.+)$")
      assert.is_truthy(what, code)
      assert.is_truthy((what .. rest):find(look, 1, true), code .. ": " .. rest)
      assert.matches("^%l[^\n]+[^%.\n]$", rest)
    end
  end)

  it("an error by its code, with what librdkafka says of it", function()
    assert.equal("a quota of Kafka holds this client back; look at its quotas (kafka-configs.sh "
      .. "--describe --entity-type users, or clients) (a:1/1: Broker: Throttling quota has been "
      .. "exceeded)", cluster.explain("quota",
      "a:1/1: Broker: Throttling quota has been exceeded (after 5ms in state UP)"))
    assert.matches("^fewer replicas are in sync ", cluster.explain_code("replicas", "orders", "g"))
  end)

  it("what some of librdkafka's own lines ask for", function()
    assert.equal("look at brokers: they are of two clusters", cluster.hint("CLUSTERID"))
    assert.is_nil(cluster.hint("GETPID"))
  end)

  it("nothing that it does not know", function()
    assert.equal("as it: is/was", cluster.explain("other", "as it: is/was"))
    assert.equal("Local: Communication failure with broker", cluster.explain_code("other"))
  end)
end)
