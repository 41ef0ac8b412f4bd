# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the commands that read policies, and what belongs to them, have in common."""

from __future__ import annotations

import os

from ansible import constants as C
from ansible import context
from ansible.cli.arguments import option_helpers
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import add_all_plugin_dirs
from ansible.utils.collection_loader import AnsibleCollectionConfig

from .base import Printing


class Reading(Printing):
    """Reads policies, and what belongs to them."""

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        option_helpers.add_basedir_options(self.parser)
        option_helpers.add_vault_options(self.parser)

    def loader(self) -> DataLoader:
        """Return a loader that decrypts vaulted files, and finds what is beside the playbooks."""
        options = context.CLIARGS
        loader = DataLoader()
        directory = options["basedir"] or os.getcwd()
        loader.set_basedir(directory)
        add_all_plugin_dirs(directory)
        AnsibleCollectionConfig.playbook_paths = [directory]
        secrets = self.setup_vault_secrets(
            loader,
            vault_ids=[*C.DEFAULT_VAULT_IDENTITY_LIST, *options["vault_ids"]],
            vault_password_files=list(options["vault_password_files"]),
            ask_vault_pass=options["ask_vault_pass"],
            auto_prompt=False,
        )
        loader.set_vault_secrets(secrets)
        return loader
