/* The picture that all examples look at: dark on the left, bright on the right, so one edge of strength 4. */
#ifndef EXAMPLE_IMAGE_H
#define EXAMPLE_IMAGE_H

static float image[96 * 128], strength[94 * 126];

static void paint(void) {
  for (int i = 0; i < 96 * 128; ++i)
    image[i] = i % 128 >= 64 ? 1.0f : 0.0f;
}

/* The strongest edge. */
static float strongest(void) {
  float most = 0;
  for (int i = 0; i < 94 * 126; ++i)
    most = strength[i] > most ? strength[i] : most;
  return most;
}

#endif
