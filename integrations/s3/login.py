"""What a person enters to sign in to an S3 bucket, and where that is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from integrations.addresses import web_address
from integrations.contract import N_

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_IN_HOST = re.compile(r"(?:^|\.)s3[.-](?:dualstack\.)?([a-z0-9-]+)\.[^.]+\.[^.]+")
DEFAULT_REGION = "us-east-1"  # what S3-compatible servers take when they have no regions


class S3Login(BaseModel):
    """Address, bucket and keys."""

    endpoint: str = Field(
        min_length=1,
        max_length=300,
        title=N_("Region or address"),
        description=N_("A region of Amazon (eu-central-1), or the provider's S3 address (https://s3.example.com)."),
    )
    bucket: str = Field(
        min_length=3,
        max_length=63,
        # docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        title=N_("Bucket"),
        description=N_("It must exist already."),
    )
    access_key: str = Field(min_length=1, max_length=200, pattern=r"^[!-~]+$", title=N_("Access key"))
    secret_key: str = Field(
        min_length=1,
        max_length=300,
        title=N_("Secret key"),
        repr=False,
        json_schema_extra={"secret": True},
    )
    signing_region: str = Field(
        default="",
        max_length=50,
        pattern=r"^[a-z0-9-]*$",
        title=N_("Region"),
        description=N_("Only if your provider names one and it is not part of the address."),
    )
    path_style: bool = Field(
        default=True,
        title=N_("The bucket is part of the path"),
        description=N_("Untick this if the provider wants it in the name: https://bucket.s3.example.com."),
    )

    @field_validator("endpoint")
    @classmethod
    def _completed(cls, value: str) -> str:
        word = value.strip().lower()
        return word if _REGION.fullmatch(word) else web_address(value)

    @property
    def address(self) -> str:
        """The server, without the bucket."""
        if not _REGION.fullmatch(self.endpoint):
            return self.endpoint
        tail = "amazonaws.com.cn" if self.endpoint.startswith("cn-") else "amazonaws.com"
        return f"https://s3.{self.endpoint}.{tail}"

    @property
    def base(self) -> str:
        """The address of the bucket, without a slash at its end."""
        if self.path_style:
            return f"{self.address}/{self.bucket}"
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{self.bucket}.{parts.netloc}{parts.path}"

    @property
    def host(self) -> str:
        """Whom one talks to."""
        return urlsplit(self.address).netloc

    @property
    def is_amazon(self) -> bool:
        """Whether it is Amazon itself."""
        return self.host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    @property
    def region(self) -> str:
        """That signatures are made for: as entered, as the address tells, or the one that means none."""
        told = _IN_HOST.search(f"{self.host.partition(':')[0]}")
        return self.signing_region or (told[1] if told else DEFAULT_REGION)
