output "lake_url" {
  description = "VP_LAKE_URL."
  value       = trimsuffix("s3://${var.bucket}/${var.folder}", "/")
}

output "kms_key" {
  description = "VP_S3_KMS_KEY, with VP_S3_SSE=aws:kms."
  value       = aws_kms_key.lake.arn
}

output "role_arns" {
  description = "The roles: Airbyte's destination, the pipeline, and `vp deploy snowflake --aws-role-arn`."
  value       = { for name, role in aws_iam_role.service : name => role.arn }
}
