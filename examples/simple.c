// One call, one thread, a static workspace: no allocation at all.
#include "edges.h"
#include "image.h"
#include <stdio.h>

static _Alignas(COAT_ALIGNMENT) char workspace[edges_WORKSPACE_SIZE(1) + COAT_ALIGNMENT];

int main(void) {
  paint();
  char error[128] = "";
  edges_args args = {.struct_size = sizeof args, .image = image, .strength = strength};
  coat_options options = {.struct_size = sizeof options,
                          .workspace = workspace,
                          .workspace_size = sizeof workspace,
                          .error = error,
                          .error_size = sizeof error};
  int status = edges_run(&args, &options);
  if (status != COAT_OK) {
    fprintf(stderr, "%s: %s\n", edges_strerror(status), error);
    return 1;
  }
  printf("strongest edge: %.1f\n", strongest());
  return 0;
}
