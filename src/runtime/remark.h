/* remark.h - what a start could not do, gathered and told as one line. No heap. */
#ifndef CDA_RUNTIME_REMARK_H
#define CDA_RUNTIME_REMARK_H

/* Add a part of the line; parts have "; " between them. What does not fit is left out. */
void cda_remark_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Add each line that another program of ours said, without its lead. Cuts up the text. */
void cda_remark_said(char *text);
/* Print the line, if there is one, and begin anew. */
void cda_remark_tell(void);

#endif
