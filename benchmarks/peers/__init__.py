"""The same documents, weights and questions through other libraries, each as its quick start has it."""
