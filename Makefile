# The front door: every target is one line over Meson or tools/. `make help` lists them.
# Settings are in config/.env; any of them can be given here: make up DISTRO=debian

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.PHONY: all setup deps engine base release image images pack up shell down test check lint conformance bench \
	clean distclean help can-image

all: setup deps ## build the programs into build/bin
	@tools/build

setup: ## install missing build packages (root, Debian or Ubuntu)
	@tools/setup

deps: setup ## build the static third-party libraries, once
	@tools/deps

engine: ## find or start a Docker engine
	@tools/engine up

base: ## find or make the base image
	@tools/base

release: all ## make the embedded release in build/release
	@tools/release

image: can-image all base ## build the image
	@tools/image build

pack: can-image all base ## write the image to build/images, the same bytes each time
	@tools/pack

images: all ## build the images: both families, both distributions
	@tools/images

can-image:
	@tools/image check

up: image ## build the image and start a container from it, as you
	@tools/up

shell: ## a shell in the running container
	@tools/up shell

down: ## stop the container, and the engine if make started it
	@tools/up down
	@tools/engine down

check: all ## unit and functional tests
	@tools/test check

lint: ## format, scripts, include arrows
	@tools/lint

test: can-image release ## everything: check, lint, and the images on a real engine
	@tools/test all

conformance: all ## compare with what conda answered: make conformance FILES="a.json b.json"
	@build/meson/tests/conformance/run $(FILES)

bench: all ## measure
	@bench/run
	@bench/start.sh

clean: ## remove what was compiled, keep libraries, packages and engine
	@rm -rf build/meson build/bin build/results build/release build/*.log

distclean: ## stop the engine and remove everything that was made
	@tools/engine down
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 14
