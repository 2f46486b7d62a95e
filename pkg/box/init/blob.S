/* The container's init as bytes; see box.mk. */
	.section .rodata
	.globl box_init_start
	.globl box_init_size
	.hidden box_init_start
	.hidden box_init_size
	.balign 16
box_init_start:
	.incbin INIT_FILE
box_init_end:
	.balign 8
box_init_size:
	.quad box_init_end - box_init_start
	.section .note.GNU-stack, "", %progbits
