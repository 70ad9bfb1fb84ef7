/* The reduction of large angles for cp_sine in vectors.h. */
#ifndef CKERNELS_FAR_ANGLE_H
#define CKERNELS_FAR_ANGLE_H

/* cp_sine reduces |z| up to this limit itself. */
#define CP_SINE_LIMIT 0x1p22f

/* The r in [-pi / 2, pi / 2] whose sine is sin(z + quarters pi / 2), for |z| of at least 2^22 and quarters 0 or 1; NaN for an
 * infinite z. */
double cp_far_angle(float z, double quarters);

#endif
