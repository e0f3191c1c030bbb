# Builds the gateway alone; the sandbox and the demo are not part of the image.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock rustfmt.toml clippy.toml ./
COPY src src
COPY templates templates
COPY keys-example keys-example
COPY contracts contracts
COPY sandbox sandbox
COPY demo demo
COPY scripts scripts
RUN cargo build --release --locked --package guichet --bin guichet
RUN sh scripts/rootfs.sh target/release/guichet /rootfs && chown -R 65532:65532 /rootfs/var/lib/guichet

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /var/lib/guichet
# One variable a line: scripts/check-image.sh tries the program with these. Loopback would be the container's own, so
# every address is listened on; GUICHET__PUBLIC_URL, or public_url in the file, is necessary then.
ENV GUICHET_CONFIG=/etc/guichet/guichet.toml
ENV GUICHET__STORE=sqlite:/var/lib/guichet/guichet.db
ENV GUICHET__SERVER__LISTEN=0.0.0.0:8080
ENV GUICHET__SERVER__OPS_LISTEN=0.0.0.0:8081
EXPOSE 8080 8081
ENTRYPOINT ["/usr/bin/guichet"]
CMD ["serve"]
