# What `make install` puts where, below DESTDIR if that is set; `make uninstall` takes it away again.

BINDIR  ?= $(PREFIX)/bin
LUADIR  ?= $(PREFIX)/lib/lua/5.4
DATADIR ?= $(PREFIX)/share/lagoon
DOCDIR  ?= $(PREFIX)/share/doc/lagoon
MANDIR  ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system

DOCUMENTS := README.md LICENSE $(wildcard docs/*.md)

VERSION = $(shell sed -n 's/^\#define VERSION "\(.*\)"/\1/p' runtime/version.h)

INSTALLED = $(BINDIR)/lagoon $(LUADIR)/lagoon/testing.so $(ANNOTATIONS:%=$(DATADIR)/%) \
            $(DOCUMENTS:%=$(DOCDIR)/%) $(MANDIR)/man1/lagoon.1 $(UNITDIR)/lagoon@.service

.PHONY: install uninstall

install: $(PARTS)
	install -D -m 755 $(OUT)/lagoon $(DESTDIR)$(BINDIR)/lagoon
	install -D -m 644 $(OUT)/lua/lagoon/testing.so $(DESTDIR)$(LUADIR)/lagoon/testing.so
	install -d $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)/docs
	install -m 644 $(ANNOTATIONS:%=lua/%) $(DESTDIR)$(DATADIR)
	install -m 644 README.md LICENSE $(DESTDIR)$(DOCDIR)
	install -m 644 $(wildcard docs/*.md) $(DESTDIR)$(DOCDIR)/docs
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(UNITDIR)
	awk -v version=$(VERSION) -f packaging/man.awk docs/command-line.md \
	    > $(DESTDIR)$(MANDIR)/man1/lagoon.1
	sed 's|@BINDIR@|$(BINDIR)|' packaging/lagoon@.service > $(DESTDIR)$(UNITDIR)/lagoon@.service
	chmod 644 $(DESTDIR)$(MANDIR)/man1/lagoon.1 $(DESTDIR)$(UNITDIR)/lagoon@.service

# The folders that are lagoon's own go with the files.
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)$(LUADIR)/lagoon $(DESTDIR)$(DATADIR) \
	    $(DESTDIR)$(DOCDIR)/docs $(DESTDIR)$(DOCDIR) 2> /dev/null
