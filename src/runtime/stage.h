/* stage.h - the caller's own lists: conda's, an environment file, then pip's. */
#ifndef CDA_RUNTIME_STAGE_H
#define CDA_RUNTIME_STAGE_H

/* Is there a list to install, where variable says or at fallback? *ret_path is that place. Returns
 * 1 if it says something (or cannot be opened, as the stage then tells); 0 if not, with a message
 * if a place other than fallback has nothing; -1 with a message if it cannot be reached or is a
 * folder. */
int cda_stage_wanted(const char *variable, const char *fallback, const char **ret_path);

/* Install the list, unless it was installed with the same Python before and nothing that was there
 * afterwards has vanished. Runs as the caller, in the environment as it is. Python's version never
 * moves. Returns 0 or an exit status, with a message.
 *
 * conda: specs, or package files below "@EXPLICIT". environment: what `conda env update` takes;
 * the prefix stays the image's whatever the file's name says, and nothing is removed. pip: what
 * `pip install -r` takes. */
int cda_stage_conda(const char *path);
int cda_stage_environment(const char *path);
int cda_stage_pip(const char *path);

#endif
