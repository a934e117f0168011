# Node's current LTS by default; Node 20 works too. The registry is named, so that every builder uses the same base
# image.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# --- Build: TypeScript to JavaScript. Without package scripts, because the project's own "prepare" would build before
# the source is copied.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && rm dist/.tsbuildinfo && chmod +x dist/cli/main.js

# --- The web page. What builds it stays out of the image.
FROM ${NODE_IMAGE} AS ui
WORKDIR /app/ui
COPY ui/package.json ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY ui ./
RUN npm run build

# --- Production dependencies. The binaries of sharp and @napi-rs/canvas are packages; npm installs only those of this
# platform. Source maps and TypeScript files are not needed at run time and are a third of the bytes.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete

FROM ${NODE_IMAGE}
# curl: for the health check below, and for `kubectl exec … curl`. Not pinned: Debian removes a version once it is
# fixed, and the same Dockerfile builds on other Debian releases.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates curl \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
# The data directory belongs to the numeric user and to group 0, which includes the arbitrary users of OpenShift.
RUN install -d -o 1000 -g 0 -m 0770 /data && ln -s /app/dist/cli/main.js /usr/local/bin/vector-store
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=ui /app/ui/dist ./ui/dist
COPY package.json LICENSE ./
COPY sql ./sql
COPY chart/files ./chart/files

ENV NODE_ENV=production \
    PORT=8000 \
    DATA_DIR=/data
USER 1000:1000
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Checks only that the process answers. An unreachable database is no reason to restart it; /readyz and /health report
# that.
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
