# make vm [ONLY=pattern]: the tests that need a kernel and an init of their own, in a
# virtual machine; on the tree that users run, as the machine's processor is emulated.
# VM is where Debian's kernel is kept; make clean forgets it.

VM ?= build/vm

.PHONY: vm

vm: $(DAEMON)
	@.ci/deps build test vm
	@test/vm/image $(VM)
	@rm -rf $(VM)/installed
	@$(MAKE) --no-print-directory install DESTDIR=$(abspath $(VM)/installed) >/dev/null
	@test/vm/run $(O) $(VM) $(if $(ONLY),--only '$(ONLY)')
