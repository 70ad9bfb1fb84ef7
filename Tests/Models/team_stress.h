/* Included before threads.c: what comes before each of its steps that other threads can see. */
void cp_step(void);
#define CP_STEP() cp_step()
