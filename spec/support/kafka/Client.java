import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own client, for specs: a request a line on standard input, its answer a line on standard
 * output, both JSON. spec/support/kafka_client.lua says what there is to ask.
 *
 * <p>Both streams are Latin-1, so that a character of a string is a byte of a key, a value or a
 * header, whatever it holds.
 */
public final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration POLL = Duration.ofMillis(100);

    private Client() {}

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1));
        var output = new PrintWriter(
            new OutputStreamWriter(System.out, StandardCharsets.ISO_8859_1), true);
        output.println("ready");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(answer(JSON.readTree(line)));
        }
    }

    private static JsonNode answer(JsonNode request) {
        try {
            switch (request.get("ask").textValue()) {
                case "produce":
                    return produce(request);
                case "consume":
                    return consume(request);
                case "compare":
                    return compare(request);
                case "allow":
                    return allow(request);
                default:
                    throw new IllegalArgumentException("unknown request");
            }
        } catch (ExecutionException failure) {
            return failed(failure.getCause());
        } catch (Exception failure) {
            return failed(failure);
        }
    }

    private static ObjectNode failed(Throwable failure) {
        return JSON.createObjectNode()
            .put("failure", failure.getClass().getSimpleName() + ": " + failure.getMessage());
    }

    private static Properties properties(JsonNode request) {
        var properties = new Properties();
        properties.put("bootstrap.servers", request.get("brokers").textValue());
        request.path("properties").properties()
            .forEach(one -> properties.put(one.getKey(), one.getValue().asText()));
        return properties;
    }

    private static byte[] bytes(JsonNode text) {
        return text == null || text.isNull()
            ? null : text.textValue().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static ProducerRecord<byte[], byte[]> newRecord(String topic, JsonNode record) {
        var partition = record.hasNonNull("partition") ? record.get("partition").intValue() : null;
        var result = new ProducerRecord<>(
            topic, (Integer) partition, bytes(record.get("key")), bytes(record.get("value")));
        for (JsonNode header : record.path("headers")) {
            result.headers().add(header.get(0).textValue(), bytes(header.get(1)));
        }
        return result;
    }

    /** Answers with the records' offsets once all are acknowledged. */
    private static JsonNode produce(JsonNode request) throws Exception {
        String topic = request.get("topic").textValue();
        var answer = JSON.createObjectNode();
        var offsets = answer.putArray("offsets");
        var serializer = new ByteArraySerializer();
        try (var producer = new KafkaProducer<>(properties(request), serializer, serializer)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : request.get("records")) {
                sent.add(producer.send(newRecord(topic, record)));
                if (request.path("is_awaited").booleanValue()) {
                    sent.get(sent.size() - 1).get();
                }
            }
            for (var one : sent) {
                offsets.add(one.get().offset());
            }
        }
        return answer;
    }

    private static void describe(ConsumerRecord<byte[], byte[]> record, ObjectNode result) {
        result.put("topic", record.topic()).put("partition", record.partition())
            .put("offset", record.offset()).put("timestamp", record.timestamp())
            .put("key", text(record.key())).put("value", text(record.value()));
        ArrayNode headers = result.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(text(header.value()));
        }
    }

    /** All partitions of the topic, from the beginning. */
    private static void assignAll(KafkaConsumer<?, ?> consumer, String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (PartitionInfo one : consumer.partitionsFor(topic)) {
            partitions.add(new TopicPartition(one.topic(), one.partition()));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** As a member of properties' group, which commits what it read; or else the whole topic. */
    private static JsonNode consume(JsonNode request) {
        var answer = JSON.createObjectNode();
        var records = answer.putArray("records");
        String topic = request.get("topic").textValue();
        Properties properties = properties(request);
        boolean isMember = properties.containsKey("group.id");
        long deadline = System.currentTimeMillis() + request.get("deadline_ms").longValue();
        var deserializer = new ByteArrayDeserializer();
        try (var consumer = new KafkaConsumer<>(properties, deserializer, deserializer)) {
            if (isMember) {
                consumer.subscribe(List.of(topic));
            } else {
                assignAll(consumer, topic);
            }
            while (records.size() < request.get("count").intValue()) {
                if (System.currentTimeMillis() >= deadline) {
                    return answer.put("failure", records.size() + " records came in time");
                }
                consumer.poll(POLL).forEach(one -> describe(one, records.addObject()));
            }
            if (isMember) {
                consumer.commitSync();
            }
        }
        return answer;
    }

    private static JsonNode tree(JsonNode text) throws Exception {
        return JSON.readTree(bytes(text));
    }

    /** Answers for each pair of JSON texts whether they say the same. */
    private static JsonNode compare(JsonNode request) throws Exception {
        var answer = JSON.createObjectNode();
        var results = answer.putArray("results");
        for (JsonNode pair : request.get("pairs")) {
            results.add(tree(pair.get(0)).equals(tree(pair.get(1))));
        }
        return answer;
    }

    /** Lets a user do something with a topic or a group. */
    private static JsonNode allow(JsonNode request) throws Exception {
        var resource = new ResourcePattern(
            ResourceType.valueOf(request.get("resource").textValue()),
            request.get("name").textValue(), PatternType.LITERAL);
        List<AclBinding> rights = new ArrayList<>();
        for (JsonNode operation : request.get("operations")) {
            rights.add(new AclBinding(resource, new AccessControlEntry(
                "User:" + request.get("user").textValue(), "*",
                AclOperation.valueOf(operation.textValue()), AclPermissionType.ALLOW)));
        }
        try (Admin admin = Admin.create(properties(request))) {
            admin.createAcls(rights).all().get();
        }
        return JSON.createObjectNode();
    }
}
