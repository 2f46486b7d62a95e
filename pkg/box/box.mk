# The container's init: a static program without a C library, put into the library as bytes.
BOX_INIT := $(BUILD)/pkg/box/init/init
BOX_BLOB := $(BUILD)/pkg/box/init/blob.o

$(BOX_INIT): pkg/box/init/init.c
	@mkdir -p $(@D)
	@echo "  INIT  $@"
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -ffreestanding -fno-stack-protector -fno-pie \
		-fno-asynchronous-unwind-tables -nostdlib -static \
		-Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -s -o $@ $<

$(BOX_BLOB): pkg/box/init/blob.S $(BOX_INIT)
	@mkdir -p $(@D)
	$(Q)$(CC) -DINIT_FILE='"$(BOX_INIT)"' -c -o $@ $<

LIB_OBJ    += $(BOX_BLOB)
FUZZ_EXTRA += $(BOX_BLOB)
