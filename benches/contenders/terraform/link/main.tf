# Makes the link: the role in the target account, the grant on the user in the source account.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "source_account" {
  type = string
}

variable "external_id" {
  type = string
}

variable "role" {
  type = string
}

variable "policy_arn" {
  type = string
}

provider "aws" {
  alias   = "source"
  profile = "security-admin"
}

provider "aws" {
  alias   = "target"
  profile = "dev-admin"
}

resource "aws_iam_role" "link" {
  provider = aws.target
  name     = var.role
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::${var.source_account}:root" }
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "permissions" {
  provider   = aws.target
  role       = aws_iam_role.link.name
  policy_arn = var.policy_arn
}

resource "aws_iam_user_policy" "grant" {
  provider = aws.source
  name     = var.role
  user     = "alice"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = aws_iam_role.link.arn
    }]
  })
}
