# Uses the link: assumes the role, says who that is, makes a bucket.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "target_account" {
  type = string
}

variable "external_id" {
  type = string
}

variable "role" {
  type = string
}

variable "bucket" {
  type = string
}

provider "aws" {
  profile           = "alice"
  s3_use_path_style = true

  assume_role {
    role_arn    = "arn:aws:iam::${var.target_account}:role/${var.role}"
    external_id = var.external_id
  }
}

data "aws_caller_identity" "here" {}

resource "aws_s3_bucket" "made" {
  bucket = var.bucket

  lifecycle {
    precondition {
      condition     = data.aws_caller_identity.here.account_id == var.target_account
      error_message = "The session is in another account."
    }
  }
}
