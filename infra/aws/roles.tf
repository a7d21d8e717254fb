# One role per service, each with the policy in policies/ of its name: what it needs of the lake and nothing more.
data "aws_caller_identity" "here" {}

locals {
  services = {
    airbyte   = { principal = var.airbyte_principal, external_id = var.airbyte_external_id }
    dagster   = { principal = var.dagster_principal, external_id = null }
    snowflake = { principal = var.snowflake_principal, external_id = var.snowflake_external_id }
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.services

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [each.value.principal]
    }

    # A service that many customers share proves by the external ID that it acts for us.
    dynamic "condition" {
      for_each = each.value.external_id == null ? [] : [each.value.external_id]

      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "service" {
  for_each = local.services

  name               = "vp-lake-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
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
