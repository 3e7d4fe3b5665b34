/* g711.c: a sign, an exponent of 3 bits and a mantissa of 4, twice, with other bits inverted. */
#include "config.h"

#include "sandbox/g711.h"

#define MU_BIAS 132
#define MU_CLIP (INT16_MAX - MU_BIAS)

/* The position of the highest bit above bit 7; 0 when there is none. */
static int exponent_of(int magnitude)
{
	int exponent = 7;

	while (exponent > 0 && (magnitude & 0x80 << exponent) == 0)
		exponent--;
	return exponent;
}

uint8_t g711_from_linear_mu(int16_t sample)
{
	int sign = sample < 0 ? 0x80 : 0;
	int magnitude = sample < 0 ? -(int)sample : sample;
	int exponent;

	if (magnitude > MU_CLIP)
		magnitude = MU_CLIP;
	magnitude += MU_BIAS;
	exponent = exponent_of(magnitude);
	return (uint8_t) ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0f));
}

int16_t g711_to_linear_mu(uint8_t byte)
{
	int bits = ~byte & 0xff;
	int magnitude = (((bits & 0x0f) << 3) + MU_BIAS) << (bits >> 4 & 7);

	magnitude -= MU_BIAS;
	return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

uint8_t g711_from_linear_a(int16_t sample)
{
	int sign = sample < 0 ? 0 : 0x80;
	int magnitude = sample < 0 ? ~(int)sample : sample;
	int exponent = exponent_of(magnitude);
	int mantissa = magnitude >> (exponent > 0 ? exponent + 3 : 4) & 0x0f;

	return (uint8_t)((sign | exponent << 4 | mantissa) ^ 0x55);
}

int16_t g711_to_linear_a(uint8_t byte)
{
	int bits = byte ^ 0x55;
	int exponent = bits >> 4 & 7;
	int magnitude = ((bits & 0x0f) << 4) + 8;

	if (exponent > 0)
		magnitude = (magnitude + 0x100) << (exponent - 1);
	return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}
