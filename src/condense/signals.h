/* signals.h - a command that must clean up ends in order on SIGINT, SIGTERM and SIGHUP: its work
 * looks at cda_interrupted. A second signal ends it at once. */
#ifndef CDA_CONDENSE_SIGNALS_H
#define CDA_CONDENSE_SIGNALS_H

void cda_condense_catch_signals(void);

#endif
