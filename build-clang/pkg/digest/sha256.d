build-clang/pkg/digest/sha256.o: pkg/digest/sha256.c pkg/digest/sha256.h

pkg/digest/sha256.h:
