/* undo.h - reading a journal back: what recovery and rollback do. */
#ifndef CDA_PREFIX_UNDO_H
#define CDA_PREFIX_UNDO_H

/* Moves a file or link within the prefix; across file systems by copy. The folders of from and to
 * are opened beneath prefixfd. 0, or -1 with errno. */
int cda_undo_rename(int prefixfd, const char *from, const char *to);

#endif
