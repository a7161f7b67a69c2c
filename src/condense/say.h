/* say.h - what a command says to people, on stderr. */
#ifndef CDA_CONDENSE_SAY_H
#define CDA_CONDENSE_SAY_H

/* One line: the mark ("warning: ", or "") and the text. Names in it may be anybody's, so control
 * bytes and what else could cheat a terminal are shown as `\xNN`, line ends too. */
void cda_say(const char *mark, const char *text);
/* The same for each line of the text. */
void cda_say_lines(const char *mark, const char *text);

#endif
