/* team_stress.h: included before threads.c. CP_STEP runs before each of its steps that other threads can see. */
void cp_step(void);
#define CP_STEP() cp_step()
