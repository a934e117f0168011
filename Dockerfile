# Node's current LTS by default; the image also builds on 20. The registry is named, so that every builder takes the same base.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# --- JavaScript from TypeScript. Scripts of packages are not run: the project's own "prepare" would build before there is a source.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && rm dist/.tsbuildinfo && chmod +x dist/cli/main.js

# --- What runs: production dependencies. The binaries of sharp and @napi-rs/canvas come as packages, npm takes those of this platform
# alone. Source maps and TypeScript are read by no running program and are a third of the bytes.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete

FROM ${NODE_IMAGE}
# curl: for the health check below, and for `kubectl exec … curl`. Not pinned: Debian removes a version when it mends it, and the
# same Dockerfile builds on other Debian releases.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates curl \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
# The data directory belongs to the numeric user, and by its group to any user that OpenShift makes up.
RUN install -d -o 1000 -g 0 -m 0770 /data && ln -s /app/dist/cli/main.js /usr/local/bin/vector-store
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY sql ./sql

ENV NODE_ENV=production \
    PORT=8000 \
    DATA_DIR=/data
USER 1000:1000
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether the process answers. A database that is away is no reason to restart it; /readyz and /health tell about that.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["sh", "-c", "curl -fsS -m 4 -o /dev/null \"http://127.0.0.1:$PORT/livez\" || exit 1"]

ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="vector-store" \
      org.opencontainers.image.description="Vector stores for a LiteLLM proxy and every OpenAI SDK, on PostgreSQL + pgvector" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

ENTRYPOINT ["vector-store"]
CMD ["serve"]
