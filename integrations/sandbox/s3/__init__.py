"""A simulated S3: buckets, objects, multipart uploads, conditions and signatures.

Signatures, times and checksums are verified before anything else; boto3 and rclone work with it. What compatible
servers do otherwise is a switch: ``conditions`` (kept, ignored, refused) and ``region``. Control calls below
``/_control/s3``: ``files``, ``uploads``, ``change`` (delete, write as a person), ``secret``, ``limit``. Not simulated:
versions, policies, signatures in the query, bodies signed chunk by chunk, the bucket in the host name.
"""

from integrations.sandbox.s3.provider import S3

__all__ = ["S3"]
