# What the predecessor's recipe makes of a release, for one comparison: the size. Its steps are written
# here anew from what is known of it. C library and locale are the ones of our own recipe, so that the
# two differ in what is done with the release. Context: the folder that tests/image/miniconda.sh fills.
ARG DEBIAN_SUITE
ARG BASE

FROM debian:${DEBIAN_SUITE}-slim AS libc
ARG DISTRO
COPY . /src
RUN /src/glibc ${DISTRO} /src /out

FROM ${BASE} AS made
COPY --from=libc /out/ /
COPY startup /startup
COPY --from=libc /src/release/ /tmp/release/
ENV PATH=/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# An account by a line in each file, a folder for work, the helper that becomes root.
RUN echo 'anaconda:x:999:' >>/etc/group && \
	echo 'anaconda:x:3000:999:Developer,,,:/home/anaconda:/bin/sh' >>/etc/passwd && \
	mkdir -p /home/anaconda /main /opt && chown 3000:999 /home/anaconda /main && \
	chmod g+w /main && chown root:anaconda /opt && chmod g+w /opt && chmod 4755 /startup
USER root:anaconda
RUN umask 007 && sh /tmp/release/*.sh -b -p /opt/conda && \
	conda config --system --add channels conda-forge && \
	conda config --system --set auto_update_conda False && \
	conda clean -ya && \
	chmod -R u+rwx,g+rwx,o-rwx /opt/conda/conda-meta && rm -rf /tmp/release

FROM scratch
COPY --from=made / /
