# One role per service, each with the policy in policies/ of its name: what it needs of the lake and nothing more. Who may
# take it on is in trust/: an account with an external ID, a role or user, a service of AWS, or a token of a cluster.
data "aws_caller_identity" "here" {}

locals {
  # Names of an account end with the deployment, as all of its names do; production's have no ending.
  ending = var.deployment == "production" ? "" : "-${var.deployment}"

  # A service that many customers share proves by the external ID that it acts for us.
  trust = {
    airbyte = var.airbyte_principal == null ? null : templatefile("${path.module}/trust/account.json", {
      principal = var.airbyte_principal, external_id = var.airbyte_external_id
    })
    snowflake = templatefile("${path.module}/trust/account.json", {
      principal = var.snowflake_principal, external_id = var.snowflake_external_id
    })
    dagster = one(concat(
      [for arn in compact([var.dagster_principal]) : templatefile("${path.module}/trust/principal.json", { principal = arn })],
      [for name in compact([var.dagster_service]) : templatefile("${path.module}/trust/service.json", { service = name })],
      [for token in var.dagster_oidc[*] : templatefile("${path.module}/trust/oidc.json", token)],
    ))
  }
  services = { for name, trust in local.trust : name => trust if trust != null }
}

resource "aws_iam_role" "service" {
  for_each = local.services

  name               = "vp-lake-${each.key}${local.ending}"
  assume_role_policy = each.value

  lifecycle {
    precondition {
      condition     = contains(keys(local.services), "dagster")
      error_message = "Set one of dagster_principal, dagster_service and dagster_oidc: what the pipeline runs as."
    }
  }
}

# On EC2 a role is taken on through a profile of its name.
resource "aws_iam_instance_profile" "dagster" {
  count = var.dagster_service == "ec2.amazonaws.com" ? 1 : 0

  name = "vp-lake-dagster${local.ending}"
  role = aws_iam_role.service["dagster"].name
}

# Airbyte with access keys, where it cannot take on a role. The keys are made by hand, so that no secret is in the state:
# `aws iam create-access-key --user-name vp-lake-airbyte` (and the ending). docs/production.md has how they are rotated.
resource "aws_iam_user" "airbyte" {
  #checkov:skip=CKV_AWS_273:A service that can take on no role; nobody signs in as this user.
  count = var.airbyte_access_keys ? 1 : 0

  name = "vp-lake-airbyte${local.ending}"
}

resource "aws_iam_user_policy" "airbyte" {
  #checkov:skip=CKV_AWS_40:There is one such user, and its policy is that of the role.
  count = var.airbyte_access_keys ? 1 : 0

  name   = "lake"
  user   = aws_iam_user.airbyte[0].name
  policy = templatefile("${path.module}/policies/airbyte.json", { bucket = var.bucket, folder = var.folder, key = aws_kms_key.lake.arn })
}

resource "aws_iam_role_policy" "service" {
  for_each = local.services

  name   = "lake"
  role   = aws_iam_role.service[each.key].id
  policy = templatefile("${path.module}/policies/${each.key}.json", { bucket = var.bucket, folder = var.folder, key = aws_kms_key.lake.arn })
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:The account's own root must be able to fix the key's policy, or nobody can.
  #checkov:skip=CKV_AWS_111:As above; in a key's policy the resource is the key itself.
  #checkov:skip=CKV_AWS_356:As above.
  statement {
    sid       = "TheAccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.here.account_id}:root"]
    }
  }
}

# The secrets that settings refer to (docs/production.md), which the pipeline looks up when it signs in.
resource "aws_iam_role_policy" "secrets" {
  count = length(var.secrets) > 0 ? 1 : 0

  name   = "secrets"
  role   = aws_iam_role.service["dagster"].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.secrets }] })
}

# What steps print (`compute_logs` in infra/dagster/dagster.yaml), beside the lake and not in it.
resource "aws_iam_role_policy" "compute_logs" {
  count = var.compute_logs_bucket == null ? 0 : 1

  name   = "compute-logs"
  role   = aws_iam_role.service["dagster"].id
  policy = templatefile("${path.module}/policies/compute_logs.json", { bucket = var.compute_logs_bucket })
}
