import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;

/** Logs in as each line of a file says (user, password, sslmode, channelBinding, root certificate) and says how it went. */
public class Login {
    public static void main(String[] arguments) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(arguments[1]));
        for (String line : lines) {
            String[] parts = line.split("\t", -1);
            Properties given = new Properties();
            given.setProperty("user", parts[0]);
            given.setProperty("password", parts[1]);
            given.setProperty("sslmode", parts[2]);
            if (!parts[3].isEmpty()) {
                given.setProperty("channelBinding", parts[3]);
            }
            given.setProperty("sslrootcert", parts[4]);
            try (Connection connection = DriverManager.getConnection("jdbc:" + arguments[0], given)) {
                System.out.println("ok");
            } catch (SQLException error) {
                System.out.println(error.getSQLState());
            }
        }
    }
}
