#!/bin/bash
# debian13.sh SPEC...: runs specs against the lagoon that the images are made of, built on Debian 13
# with its compiler and libraries, in a container of that build. What is written stays there.
set -euo pipefail
base=localhost/lagoon-spec-base:13 image=localhost/lagoon-spec:build

spec/support/image/base.sh $base
buildah bud --isolation chroot --network host --layers --ulimit nofile=512:512 \
    --ulimit nproc=512:512 --build-arg BASE=$base --target build --tag $image \
    --file docker/Dockerfile .
podman --runtime runc --cgroup-manager cgroupfs run --rm --network host \
    --ulimit nofile=8192:8192 --ulimit nproc=8192:8192 \
    --volume "$PWD/spec:/src/spec:ro" --env LAGOON_SPEC_PATIENCE $image \
    bash -c 'make need-test > /tmp/need-test.log 2>&1 || { cat /tmp/need-test.log; exit 1; }
        make test SPEC="$*"' specs "$@"
