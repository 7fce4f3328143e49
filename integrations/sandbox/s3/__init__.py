"""A simulated S3: buckets, objects, multipart uploads, conditions and signatures."""

from integrations.sandbox.s3.provider import S3

__all__ = ["S3"]
