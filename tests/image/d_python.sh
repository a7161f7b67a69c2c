#!/bin/sh
# The Python of the image: its standard library, pip's places, environments of its own.
# shellcheck disable=SC2016,SC2086 # scripts for the container; words
# shellcheck source=tests/image/lib.sh
. "$(dirname "$0")/lib.sh"
serve release

for user in default host; do
	"as_$user"
	while IFS='|' read -r text script; do
		docker_run "$IMAGE" python -c "$script"
		is "3 $text" True
	done <<'EOF'
ssl has certificates|import ssl; print(bool(ssl.create_default_context().get_ca_certs()))
sqlite3|import sqlite3; print(sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,))
ctypes|import ctypes; print(ctypes.CDLL(None).getpid() > 0)
lzma and bz2|import bz2, lzma; print(lzma.decompress(lzma.compress(b"x")) == bz2.decompress(bz2.compress(b"x")))
zlib and hashlib|import hashlib, zlib; print(len(hashlib.sha256(zlib.compress(b"x")).digest()) == 32)
readline and curses|import curses, readline; print(bool(curses.setupterm("dumb", 1) or True))
uuid and decimal|import decimal, uuid; print(uuid.uuid4() != uuid.uuid1() and decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3"))
xml|import xml.etree.ElementTree as tree; print(tree.fromstring("<a/>").tag == "a")
time zones|import zoneinfo; print(zoneinfo.ZoneInfo("Europe/Paris").key == "Europe/Paris")
processes|import multiprocessing as m; print(m.Pool(1).map(abs, [-1]) == [1])
EOF
	docker_run "$IMAGE" python -c 'import sys, sysconfig; print(sys.prefix, sysconfig.get_default_scheme(), sysconfig.get_path("purelib"))'
	is "3 prefix and scheme are conda's" "/opt/conda posix_prefix $packages"
	docker_run "$IMAGE" python -c 'import site, sys; print([p for p in sys.path if "dist-packages" in p])'
	is "3 no dist-packages" "[]"
	run $from_loopback 'python -m venv ~/v && ~/v/bin/pip install -q typing-extensions &&
		~/v/bin/python -c "import typing_extensions as t; print(t.__file__)"'
	is "19 a venv with pip" "/home/anaconda/v/lib/python$PY_VER/site-packages/typing_extensions.py"
	run $from_loopback 'pip install -q --user typing-extensions && pip uninstall -q -y typing-extensions &&
		pip install -q typing-extensions && python -c "import typing_extensions as t; print(t.__file__)"'
	is "19 pip installs and removes" "$packages/typing_extensions.py"
	run $from_loopback 'conda create -y -q -n two python >/dev/null && . /opt/conda/etc/profile.d/conda.sh &&
		conda activate two && python -c "import sys; print(sys.prefix)" && conda deactivate && echo $CONDA_DEFAULT_ENV'
	is_like "21 an environment of one's own, activated" "*/envs/two
base"
	run 'sh -c ". /opt/conda/etc/profile.d/conda.sh; conda deactivate; conda activate base; command -v python"'
	is "21 activation in dash" /opt/conda/bin/python
	# asked of the records themselves: not every conda has a doctor. Compiled files stay in them,
	# since Python may make them again.
	run 'python -c "
import glob, json, os
for record in glob.glob(\"/opt/conda/conda-meta/*.json\"):
    for file in json.load(open(record))[\"files\"]:
        if not file.endswith(\".pyc\") and not os.path.lexists(\"/opt/conda/\" + file):
            print(\"gone\", file)
print(\"asked\")"'
	is "73 conda misses no file that slim took" asked
	run 'pip check && python -c "import importlib.metadata as m, os; print([str(f) for d in m.distributions() for f in d.files or () if f.suffix != \".pyc\" and not os.path.exists(d.locate_file(f))])"'
	is_like "73 nor does pip" "*broken requirements*\[\]"
	if [ "$RELEASE" = condense ]; then
		run 'conda doctor'
		is_like "73 nor does its doctor" "*All files are there*"
		run 'touch /tmp/before && pip list >/dev/null && find /opt/conda -name "*.pyc" -newer /tmp/before | head -n 3'
		is "73 what pip loads is compiled" ""
	fi
	run 'conda list --json | python -c "import json, sys; n = [p[\"name\"] for p in json.load(sys.stdin)]; print(\"python\" in n and \"pip\" in n)"'
	is "24 conda list knows python and pip" True
done
finish
