"""Kubernetes, reached by kubectl alone: commands as values, and readers of what they answer."""
