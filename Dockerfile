# The gateway as an image, for a Redis that stands elsewhere (RELAY_REDIS_URL):
# there is no redis-server in it, so a gateway without an address says so and
# ends. docker-compose.yml has a Redis to go with it.
#
# To raise Node: change the number to the newest LTS line that
# https://nodejs.org/en/about/previous-releases names, and run the tests on it.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
# The packages first: they are installed again only when the lock file changes.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY build build
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# All of it is root's: the process reads its own code and cannot change it.
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY config config
# What must not be lost is in /data: the configuration's `dataDir: ./data` is it.
RUN mkdir -m 0700 /data && chown node:node /data && \
    ln -s /data data && \
    ln -s /app/dist/main.js /usr/local/bin/fotor-relay
VOLUME /data
USER node

# Only the public listener. The admin listener stays on the container's own
# loopback: docker exec CONTAINER fotor-relay status
EXPOSE 8080

# Asks whether the process lives, not whether it can accept: a restart mends
# the first and makes the second worse. Follows `admin.listen` of the
# configuration; change both or neither.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8081/healthz').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# No init program is needed in front: the gateway handles SIGTERM itself, which
# is what a first process must do to get it at all, and with an external Redis
# it starts no processes that somebody would have to collect.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
