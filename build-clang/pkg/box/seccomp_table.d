build-clang/pkg/box/seccomp_table.o: pkg/box/seccomp_table.c \
  pkg/box/seccomp.h

pkg/box/seccomp.h:
