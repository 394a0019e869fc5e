"""Two users who take turns; an administrator changes them."""

import contract
import single


def rotation(login, change, try_out):
    """The parts that `contract.run` asks for."""

    class Multi:
        next_user = staticmethod(contract.other_user)
        test_secret = staticmethod(single.rotation(login, change, try_out).test_secret)

        @staticmethod
        def set_secret(client, arn, token, rotation):
            current = contract.read(client, arn, "AWSCURRENT")
            pending = contract.read(client, arn, "AWSPENDING", token)
            done = login(pending)
            if done:
                done.close()
                return
            known = login(current)
            if not known:
                raise ValueError(f"the current version of {arn} is not accepted")
            known.close()
            connection = login(contract.administrator(client, current))
            if not connection:
                raise ValueError("the administrator is not let in")
            try:
                with connection.cursor() as cursor:
                    change(cursor, pending, current)
                    connection.commit()
            finally:
                connection.close()

    return Multi
