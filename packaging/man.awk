# man.awk: the manual page lagoon(1) of docs/command-line.md, whose tables it turns into lists.
#
#   awk -v version=1.2.3 -f packaging/man.awk docs/command-line.md

BEGIN {
    print ".TH LAGOON 1 \"\" \"lagoon " version "\" \"User Commands\""
    print ".SH NAME"
    print "lagoon \\- run Kafka event handlers written in Lua"
    print ".SH SYNOPSIS"
    print ".B lagoon\n.I VERB\n.RI [ ARGUMENTS ]"
    print ".SH DESCRIPTION"
    print ".B lagoon\nreads\n.IR config.lua ,"
    print "joins Kafka consumer groups, and calls the Lua functions that the config names as handlers"
    print "of the events that come. The lag decides how many workers call them; scripts may change"
    print "while it runs. Flags and verbs are here in short;"
    print ".B lagoon help\n.I VERB\nsays all about one verb."
    title["Verbs"] = "VERBS"
    title["Flags"] = "OPTIONS"
    title["Exit codes"] = "EXIT STATUS"
}

# Of Markdown: links become their words, code bold.
function words(text) {
    while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        link = substr(text, RSTART + 1, RLENGTH - 1)
        sub(/\]\(.*/, "", link)
        text = substr(text, 1, RSTART - 1) link substr(text, RSTART + RLENGTH)
    }
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    while (sub(/`/, "\\fB", text) && sub(/`/, "\\fP", text)) {}
    gsub(/\*\*/, "", text)
    sub(/^\./, "\\\\\\&.", text)
    return text
}

# A paragraph whose first words are bold, as with the variables.
function paragraph(text) {
    print ".PP\n" words(text)
}

/^## / {
    section = substr($0, 4)
    is_body = 0
    if (section in title)
        print ".SH " title[section]
    next
}

!(section in title) { next }

/^\|[-|]+$/ { is_body = 1; next }

/^\|/ {
    if (!is_body)
        next
    gsub(/\\\|/, "\001")
    count = split($0, cells, "|")
    for (i = 1; i <= count; i++) {
        gsub(/^ +| +$/, "", cells[i])
        gsub("\001", "|", cells[i])
    }
    print ".TP\n" words(cells[2])
    if (section == "Flags")
        print words(cells[4]) " (" words(cells[3]) ")"
    else
        print cells[3] == "" ? "what it says by itself" : words(cells[3])
    next
}

/^$/ {
    if (text != "")
        paragraph(text)
    text = ""
    is_body = 0
    next
}

{ text = text (text == "" ? "" : " ") $0 }

END {
    print ".SH SIGNALS"
    print ".TP\n.BR SIGTERM \", \" SIGINT"
    print "stop within the config\\(aqs \\fBstop_timeout\\fP: what has begun may finish"
    print ".TP\n.B SIGHUP"
    print "has \\fBlagoon run\\fP read config and scripts again"
    print ".SH FILES"
    print ".TP\n.I config.lua\nclusters, topics, producers and consumers"
    print ".TP\n.I scripts/\nbeside it: handlers, middlewares, and what they require"
    print ".SH EXAMPLES"
    print ".EX"
    print "lagoon new shop && cd shop && lagoon dev"
    print "lagoon run \\-\\-only consumers"
    print "systemctl enable \\-\\-now lagoon@shop    # runs /etc/lagoon/shop/config.lua"
    print ".EE"
    print ".SH SEE ALSO"
    print "The manual in\n.IR share/doc/lagoon ."
}
