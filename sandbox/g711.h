/* g711.h: one sample to one byte and back, as telephones do (ITU-T G.711). Pure. */
#ifndef OMNIVOX_SANDBOX_G711_H
#define OMNIVOX_SANDBOX_G711_H

#include <stdint.h>

uint8_t g711_from_linear_mu(int16_t sample); /* PCMU */
int16_t g711_to_linear_mu(uint8_t byte);
uint8_t g711_from_linear_a(int16_t sample); /* PCMA */
int16_t g711_to_linear_a(uint8_t byte);

#endif
