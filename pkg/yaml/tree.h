/* tree.h - shared inside pkg/yaml. */
#ifndef YAML_TREE_H
#define YAML_TREE_H

#include <ctrcompose/yaml.h>

/* Set type and value of n from the text of a plain scalar; text is kept, not copied. */
void scalar_resolve(struct arena *a, const char *text, struct yaml_node *n);

#endif
