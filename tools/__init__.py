"""Commands of the workshop: build, browser, gallery, measurements."""
