#!/bin/bash
# debian13.sh SPEC...: builds lagoon on Debian 13, in a container, and runs specs against that. What
# is written stays in the container.
set -euo pipefail
base=localhost/lagoon-spec-base:13 image=localhost/lagoon-spec:build

spec/support/image/base.sh $base
buildah bud --isolation chroot --network host --layers --ulimit nofile=512:512 \
    --ulimit nproc=512:512 --build-arg BASE=$base --target build --tag $image \
    --file docker/Dockerfile .
podman --runtime runc --cgroup-manager cgroupfs run --rm --network host \
    --ulimit nofile=8192:8192 --ulimit nproc=8192:8192 \
    --volume "$PWD:/src:ro" --workdir /src --env LAGOON_SPEC_PATIENCE $image \
    bash -c 'make BUILD=/tmp/build need-test && make BUILD=/tmp/build test SPEC="$*"' specs "$@"
