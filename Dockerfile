# gymcall in a container: `docker build -t gymcall .`
# The last stage has a C library, root certificates and the one binary in it; no shell, and no root.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin gymcall && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/gymcall /usr/local/bin/gymcall
# Where the embedded store lives, if no REDIS_URL is set. The user of this image must be able to write there.
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
# Reachable from outside the container, so GYMCALL_API_KEY must be set.
ENV GYMCALL_BIND=0.0.0.0:8000 GYMCALL_DATA_DIR=/data
EXPOSE 8000
# For `serve`; a worker listens nowhere and needs none.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["gymcall", "status", "--ready"]
ENTRYPOINT ["gymcall"]
CMD ["serve"]
