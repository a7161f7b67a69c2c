/* cmds.h - the commands of condense. */
#ifndef CDA_CONDENSE_CMDS_H
#define CDA_CONDENSE_CMDS_H

#include "condense/option.h"

extern const struct cda_command cda_condense_repack, cda_condense_index, cda_condense_installer;
extern const struct cda_command cda_condense_releases;
extern const struct cda_command cda_condense_pack, cda_condense_size, cda_condense_slim;

#endif
