# make browser: the web server as Chromium sees it.

.PHONY: browser

browser:
	@.ci/deps build test browser
	@$(MAKE) --no-print-directory SAN=1 O=build/san test-programs
	cd test && ZENTRID_BUILD=$(CURDIR)/build/san python3 -m unittest \
		browser/test_browser.py
