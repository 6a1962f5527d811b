SWIFT ?= swift
RELEASE = -c release -Xswiftc -static-executable -Xswiftc -use-ld=lld \
	-Xlinker --gc-sections -Xlinker -s

.PHONY: build
build:
	$(SWIFT) build $(RELEASE) --product swrunc
	mkdir -p bin && cp -f .build/release/swrunc bin/swrunc
