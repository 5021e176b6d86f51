# The whole playground in one container: a Hugging Face Docker Space, or `docker build . && docker run -p 7860:7860`.
FROM python:3.11-slim

# PyPI's torch brings several GB of CUDA libraries; this index has the CPU build.
# For a GPU: --build-arg TORCH_INDEX= (empty).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user/app
ENV PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    HOST=0.0.0.0 \
    PORT=7860

COPY --chown=user requirements.txt .
RUN torch="$(grep '^torch==' requirements.txt)" \
    && if [ -n "$TORCH_INDEX" ]; then pip install --no-cache-dir --index-url "$TORCH_INDEX" "$torch"; fi \
    && pip install --no-cache-dir -r requirements.txt

COPY --chown=user . .
RUN python tools/frontend.py && rm -rf ui/frontend/node_modules

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health')"
CMD ["python", "app.py"]
