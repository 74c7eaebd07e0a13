# serinus with its reference service; see docs/howto/container.md for a service of your own.
# BASE is any image with Python 3.11 or newer, its venv module, and /bin/sh.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY src ./src
RUN python3 -m venv /opt/serinus \
    && /opt/serinus/bin/pip install --no-cache-dir --no-compile --constraint constraints.txt ".[postgresql,sentry,speed]" \
    && /opt/serinus/bin/pip uninstall --yes pip

FROM ${BASE}
LABEL org.opencontainers.image.title="serinus" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --home-dir /var/lib/serinus --create-home --shell /usr/sbin/nologin serinus
COPY --from=build /opt/serinus /opt/serinus
ENV PATH=/opt/serinus/bin:$PATH PYTHONUNBUFFERED=1 SERINUS_HOST=0.0.0.0 APP=mentor.main:app PORT=8080
WORKDIR /var/lib/serinus
USER 10001
EXPOSE 8080
# Without a shell's parent the process gets the platform's SIGTERM itself, and delivers its last counts.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=2)"]
CMD ["sh", "-c", "exec serinus serve \"$APP\" --port \"$PORT\""]
