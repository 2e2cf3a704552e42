FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY shared/client/package.json shared/client/
COPY server/embedded/package.json server/embedded/
COPY test/generated-client/package.json test/generated-client/
RUN npm ci
COPY build.mjs build-options.mjs tsconfig.json ./
COPY shared shared
COPY server server
COPY docs docs
COPY CHANGELOG.md CONTRIBUTING.md SECURITY.md ./
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY shared/client/package.json shared/client/
COPY server/embedded/package.json server/embedded/
COPY test/generated-client/package.json test/generated-client/
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
# Read at run time, as it is.
COPY shared/letsapp.schema.json shared/
COPY server/accounts/passwords/common-passwords.txt server/accounts/passwords/
# The one folder that the server writes to: everything else may be read-only.
RUN mkdir /data && chown node:node /data
# By number (it is `node`), so that Kubernetes can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1, so that SIGTERM reaches it and connections are drained.
CMD ["node", "dist/server/main.js"]
