"""One user, who changes its own password."""

import contract

def rotation(login, change, try_out):
    """The parts that `contract.run` asks for."""

    class Single:
        next_user = staticmethod(contract.same_user)

        @staticmethod
        def set_secret(client, arn, token, rotation):
            try:
                previous = contract.read(client, arn, "AWSPREVIOUS")
            except (client.exceptions.ResourceNotFoundException, KeyError):
                previous = None
            current = contract.read(client, arn, "AWSCURRENT")
            pending = contract.read(client, arn, "AWSPENDING", token)
            done = login(pending)
            if done:
                done.close()
                return
            connection = login(current) or (previous and login(previous))
            if not connection:
                raise ValueError(f"no version of {arn} is accepted")
            try:
                with connection.cursor() as cursor:
                    change(cursor, pending)
                    connection.commit()
            finally:
                connection.close()

        @staticmethod
        def test_secret(client, arn, token, rotation):
            connection = login(contract.read(client, arn, "AWSPENDING", token))
            if not connection:
                raise ValueError(f"the pending version of {arn} is not accepted")
            try_out(connection)

    return Single
