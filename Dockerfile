# Forewarn in an image: `docker build -t forewarn .`, then `docker run -p 9093:9093 -v forewarn:/data forewarn`.
# Where no Docker engine is, tests/docker_rootfs.sh does the same steps in a clean Debian root.
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
COPY requirements-run.lock requirements-build.lock ./
RUN python3 -m venv /opt/forewarn \
    && /opt/forewarn/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock
RUN python3 -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE forewarn.py ./
COPY pipeline pipeline
COPY detectors detectors
COPY rules rules
COPY playbooks playbooks
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
    && /opt/forewarn/bin/pip install --no-deps --no-index --find-links /opt/build/wheels forewarn

FROM ${PYTHON}
RUN groupadd --gid 10001 forewarn \
    && useradd --uid 10001 --gid forewarn --no-create-home --home-dir /data --shell /usr/sbin/nologin forewarn \
    && install --directory --owner forewarn --group forewarn /data
COPY --from=build /opt/forewarn /opt/forewarn
ENV PATH=/opt/forewarn/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER forewarn
WORKDIR /data
VOLUME /data
EXPOSE 9093
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python3", "-c", "from urllib.request import urlopen as u; u('http://127.0.0.1:9093/-/healthy', timeout=2)"]
ENTRYPOINT ["forewarn"]
CMD ["run", "--web.listen-address=0.0.0.0:9093", "--storage.path=/data"]
