/* The container's init as bytes; see box.mk. */
	.section .rodata
	.globl box_init_start
	.globl box_init_end
	.hidden box_init_start
	.hidden box_init_end
	.balign 16
box_init_start:
	.incbin INIT_FILE
box_init_end:
	.section .note.GNU-stack, "", %progbits
