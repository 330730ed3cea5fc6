# SPDX-License-Identifier: Apache-2.0
"""A small HL7 v2 interface engine: messages are kept on disk, and delivered in order until they are answered."""
